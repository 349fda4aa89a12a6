import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { Toaster } from "sonner";
import { makeQueryClient } from "@/shared/api/query-client";
import { useTheme } from "@/shared/lib/theme";
import { makeRouter } from "./router";

export function App() {
  const [client] = useState(makeQueryClient);
  const [router] = useState(() => makeRouter(client));
  const theme = useTheme();
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
      <Toaster
        theme={theme}
        position="bottom-center"
        closeButton
        toastOptions={{ duration: 8000, style: { fontFamily: "var(--font-sans)" } }}
      />
    </QueryClientProvider>
  );
}
