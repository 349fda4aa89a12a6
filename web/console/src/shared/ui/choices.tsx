import { useId } from "react";
import { cx } from "../lib/cx";

interface ChoicesProps<T> {
  /** What is chosen here, for a screen reader. */
  label: string;
  options: readonly { value: T; title: string }[];
  value: T;
  onChoose: (value: T) => void;
}

/** A few choices beside one another, of which one holds. */
export function Choices<T extends string | undefined>({ label, options, value, onChoose }: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.title}
          className={cx(
            "flex h-7 cursor-pointer items-center rounded-md px-2.5 text-xs has-focus-visible:outline-2 has-focus-visible:outline-focus",
            value === option.value ? "bg-selected font-medium text-ink" : "text-ink-soft hover:bg-hover",
          )}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={value === option.value}
            onChange={() => onChoose(option.value)}
          />
          {option.title}
        </label>
      ))}
    </fieldset>
  );
}
