import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { membersQuery } from "../api/members";

const CONTROL = "h-8 w-full rounded-md border border-line-strong bg-surface text-ink text-sm";

/** What narrows a list down, beside one another. */
export function Filters({ children }: { children: ReactNode }) {
  return <div className="mb-4 grid grid-cols-2 gap-3 sm:grid-cols-[repeat(auto-fit,minmax(9rem,1fr))]">{children}</div>;
}

function Named({ id, label, children }: { id: string; label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-0.5 block text-ink-mute text-xs">
        {label}
      </label>
      {children}
    </div>
  );
}

interface FilterSelectProps {
  label: string;
  /** What no choice means. */
  all: string;
  value: string | undefined;
  options: { value: string; title: string }[];
  onChange: (value: string | undefined) => void;
}

export function FilterSelect({ label, all, value, options, onChange }: FilterSelectProps) {
  const id = useId();
  return (
    <Named id={id} label={label}>
      <select
        id={id}
        className={`${CONTROL} px-2`}
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value || undefined)}
      >
        <option value="">{all}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </select>
    </Named>
  );
}

/** One of the members, by handle. */
export function MemberFilter(props: Omit<FilterSelectProps, "all" | "options">) {
  const members = useQuery(membersQuery).data ?? [];
  return (
    <FilterSelect
      {...props}
      all="Everybody"
      options={members.map(({ handle, name }) => ({ value: handle, title: name }))}
    />
  );
}

interface FilterTextProps {
  label: string;
  value: string | undefined;
  placeholder?: string;
  suggestions?: readonly string[];
  onChange: (value: string | undefined) => void;
}

/** A word that is asked for once its writer stops for a moment. */
export function FilterText({ label, value = "", placeholder, suggestions, onChange }: FilterTextProps) {
  const id = useId();
  const [written, setWritten] = useState({ text: value, from: value });
  const text = written.from === value ? written.text : value;
  const change = useRef(onChange);
  change.current = onChange;
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => change.current(text.trim() || undefined), 300);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <Named id={id} label={label}>
      <input
        id={id}
        className={`${CONTROL} px-2.5`}
        value={text}
        maxLength={100}
        placeholder={placeholder}
        autoComplete="off"
        list={suggestions ? `${id}-list` : undefined}
        onChange={(event) => setWritten({ text: event.target.value, from: value })}
      />
      {suggestions && (
        <datalist id={`${id}-list`}>
          {suggestions.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
    </Named>
  );
}
