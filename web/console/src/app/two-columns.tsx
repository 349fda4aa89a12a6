import { type ReactNode, useState } from "react";
import { cx } from "@/shared/lib/cx";
import { Skeleton, SkeletonLines } from "@/shared/ui/states";

interface TwoColumnsProps {
  header: ReactNode;
  plan: ReactNode;
  side: ReactNode;
  sideLabel: string;
  /** On a narrow screen one of them is shown; a change of this shows the side. */
  sideKey?: string;
}

/** Where {@link TwoColumns} will stand. */
export function TwoColumnsSkeleton({ label }: { label: string }) {
  return (
    <>
      <div className="flex h-14 items-center border-line border-b px-4">
        <Skeleton className="h-5 w-64 max-w-full" />
      </div>
      <SkeletonLines label={label} widths={["w-1/3", "w-2/3", "w-1/2", "w-3/5", "w-2/5"]} />
    </>
  );
}

/** The plan and what is beside it; one at a time where there is no room for both. */
export function TwoColumns({ header, plan, side, sideLabel, sideKey }: TwoColumnsProps) {
  const [state, setState] = useState<{ shown: "plan" | "side"; key: string | undefined }>({
    shown: sideKey ? "side" : "plan",
    key: sideKey,
  });
  if (state.key !== sideKey) setState({ shown: sideKey ? "side" : state.shown, key: sideKey });
  const { shown } = state;
  const tab = (name: "plan" | "side", text: string) => (
    <button
      type="button"
      aria-pressed={shown === name}
      onClick={() => setState({ ...state, shown: name })}
      className={cx(
        "h-10 flex-1 border-b-2 text-sm",
        shown === name ? "border-accent font-medium" : "border-transparent text-ink-soft",
      )}
    >
      {text}
    </button>
  );
  return (
    <div className="flex h-full min-h-0 flex-col">
      {header}
      <div className="flex shrink-0 border-line border-b lg:hidden">
        {tab("plan", "Plan")}
        {tab("side", sideLabel)}
      </div>
      <div className="flex min-h-0 flex-1">
        <div className={cx("min-w-0 flex-1 overflow-y-auto", shown !== "plan" && "max-lg:hidden")}>{plan}</div>
        <aside
          aria-label={sideLabel}
          className={cx(
            "flex min-h-0 w-full flex-col border-line bg-ground lg:w-80 lg:shrink-0 lg:border-l xl:w-md",
            shown !== "side" && "max-lg:hidden",
          )}
        >
          {side}
        </aside>
      </div>
    </div>
  );
}
