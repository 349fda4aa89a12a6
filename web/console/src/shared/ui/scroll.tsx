import type { ReactNode } from "react";
import { cx } from "../lib/cx";

/** What may be longer than its place; it is scrolled by the keyboard too. */
export function Scroll({ className, children }: { className: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
    <div tabIndex={0} className={cx("overflow-y-auto", className)}>
      {children}
    </div>
  );
}
