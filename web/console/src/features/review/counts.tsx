import type { Diff } from "@/shared/api/types";

/** "+4 ~1 −1 →2", each said in words for those who do not see it. */
export function Counts({ counts }: { counts: Diff["counts"] }) {
  const parts = [
    { sign: "+", number: counts.created, name: "new", ink: "text-added-ink" },
    { sign: "~", number: counts.changed, name: "changed", ink: "text-changed-ink" },
    { sign: "−", number: counts.removed, name: "removed", ink: "text-removed-ink" },
    { sign: "→", number: counts.moved, name: "moved", ink: "text-moved-ink" },
  ];
  if (parts.every((part) => part.number === 0)) return null;
  return (
    <span className="inline-flex items-center gap-2.5">
      {parts
        .filter((part) => part.number > 0)
        .map((part) => (
          <span key={part.name} className={`font-medium ${part.ink}`}>
            <span aria-hidden="true">{part.sign}</span>
            {part.number} {part.name}
          </span>
        ))}
    </span>
  );
}
