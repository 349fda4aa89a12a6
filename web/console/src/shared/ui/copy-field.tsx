import { Check, Copy } from "lucide-react";
import { type ReactNode, useId, useRef, useState } from "react";
import { Button } from "./button";

interface CopyFieldProps {
  label: string;
  value: string;
  hint: ReactNode;
  /** It stands among other things, and can be looked up again: it does not ask to be copied. */
  quiet?: boolean;
}

/** A text that is taken along: to read, to select, and to copy with one press. */
export function CopyField({ label, value, hint, quiet = false }: CopyFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async () => setCopied(await copyText(value, input.current));
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium text-ink-soft text-sm">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          ref={input}
          id={id}
          readOnly
          value={value}
          aria-describedby={`${id}-note`}
          onFocus={(event) => event.currentTarget.select()}
          className="h-8 min-w-0 flex-1 rounded-md border border-line-strong bg-sunken px-2.5 font-mono text-ink text-xs"
        />
        <Button
          look={quiet ? "plain" : "primary"}
          autoFocus={!quiet}
          onClick={copy}
          icon={
            isCopied ? (
              <Check className="size-3.5" aria-hidden="true" />
            ) : (
              <Copy className="size-3.5" aria-hidden="true" />
            )
          }
        >
          {isCopied ? "Copied" : "Copy"}
        </Button>
      </div>
      <p id={`${id}-note`} className="mt-1.5 text-ink-mute text-xs">
        {hint}
      </p>
      <span role="status" className="sr-only">
        {isCopied && `${label} copied`}
      </span>
    </div>
  );
}

/** Where the page is served without TLS there is no clipboard to write to: then what is selected in the field is copied. */
async function copyText(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return document.execCommand("copy");
  }
}
