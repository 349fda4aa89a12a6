import type { ReactNode } from "react";
import { Logo } from "@/shared/ui/small";

export function AuthCard({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  return (
    <main className="flex min-h-full items-center justify-center px-4 py-12">
      <div className="w-full max-w-sm">
        <Logo className="mb-6 size-9" />
        <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
        {lead && <div className="mt-1.5 text-ink-soft">{lead}</div>}
        <div className="mt-7">{children}</div>
      </div>
    </main>
  );
}
