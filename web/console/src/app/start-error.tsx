import { useRouter } from "@tanstack/react-router";
import { ErrorState } from "@/shared/ui/states";

/** The server could not even say who is signed in. */
export function StartError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="flex min-h-full items-center justify-center">
      <ErrorState error={error} title="Patchbay could not be opened" onRetry={() => router.invalidate()} />
    </main>
  );
}
