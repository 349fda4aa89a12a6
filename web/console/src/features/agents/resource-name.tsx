import { Link } from "@tanstack/react-router";

/** What is held; a task leads to its page. */
export function ResourceName({ name }: { name: string }) {
  const [, key, number] = /^task:([A-Z][A-Z0-9]*)-(\d+)$/.exec(name) ?? [];
  if (!key) return <span className="break-all font-mono text-code">{name}</span>;
  return (
    <Link
      to="/p/$key"
      params={{ key }}
      search={{ task: `${key}-${number}` }}
      className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
    >
      {key}-{number}
    </Link>
  );
}
