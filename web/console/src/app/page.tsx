import { Link, type LinkProps, Outlet, useLocation } from "@tanstack/react-router";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { cx } from "@/shared/lib/cx";

/** How wide what is on a page may become: lists to read, or things to lay side by side. */
const WIDTHS = { list: "max-w-4xl", wide: "max-w-6xl" };

export function PageBody({ width = "list", children }: { width?: keyof typeof WIDTHS; children: ReactNode }) {
  return <div className={cx("mx-auto px-4 py-8 sm:px-8", WIDTHS[width])}>{children}</div>;
}

export function PageTitle({ title, action }: { title: string; action?: ReactNode }) {
  return (
    <header className="mb-3 flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
      <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
      {action}
    </header>
  );
}

interface Tab {
  to: LinkProps["to"];
  title: string;
  /** What begins like it is not it. */
  exact?: boolean;
}

/** The parts of an area, and the one that is open. */
export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // Where they do not fit, the open one is in sight.
  useLayoutEffect(() => {
    const open = nav.current?.querySelector<HTMLElement>(`[href="${pathname}"]`);
    if (nav.current && open)
      nav.current.scrollLeft = open.offsetLeft + open.offsetWidth / 2 - nav.current.clientWidth / 2;
  }, [pathname]);
  return (
    <nav
      ref={nav}
      aria-label={label}
      className="relative mb-6 flex gap-5 overflow-x-auto overflow-y-hidden border-line border-b max-sm:pr-8 max-sm:[mask-image:linear-gradient(to_right,black_calc(100%-2.5rem),transparent)]"
    >
      {tabs.map(({ to, title, exact }) => (
        <Link
          key={title}
          to={to}
          className="-mb-px flex h-10 shrink-0 items-center border-transparent border-b-2 text-ink-soft text-sm hover:text-ink"
          activeProps={{ className: "!border-accent font-medium !text-ink", "aria-current": "page" }}
          activeOptions={{ exact }}
        >
          {title}
        </Link>
      ))}
    </nav>
  );
}

/** An area of several parts below one title. */
export function TabbedArea({ title, tabs }: { title: string; tabs: Tab[] }) {
  return (
    <PageBody>
      <PageTitle title={title} />
      <Tabs label={title} tabs={tabs} />
      <Outlet />
    </PageBody>
  );
}
