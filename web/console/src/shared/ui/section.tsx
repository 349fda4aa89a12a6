import type { ReactNode } from "react";

interface SectionHeaderProps {
  /** What the section is labelled by. */
  id: string;
  title: string;
  lead: ReactNode;
  action?: ReactNode;
}

export function SectionHeader({ id, title, lead, action }: SectionHeaderProps) {
  return (
    <header className="mb-4 flex flex-wrap items-end justify-between gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h2 id={id} className="font-semibold text-lg">
          {title}
        </h2>
        <p className="text-ink-soft text-sm">{lead}</p>
      </div>
      {action}
    </header>
  );
}
