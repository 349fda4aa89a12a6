import { ArrowUp } from "lucide-react";
import { type KeyboardEvent, type Ref, useState } from "react";
import { cx } from "@/shared/lib/cx";
import { useDraft } from "@/shared/lib/use-draft";

interface ComposerProps {
  placeholder: string;
  onSend: (text: string) => void;
  /** Where an unsent text is kept, one per conversation. */
  draftKey: string;
  large?: boolean;
  autoFocus?: boolean;
  inputRef?: Ref<HTMLTextAreaElement>;
}

/** Enter sends, Shift+Enter makes a line. What is not sent is kept in this tab. */
export function Composer({ placeholder, onSend, draftKey, large = false, autoFocus, inputRef }: ComposerProps) {
  const [text, setText] = useDraft(draftKey);
  const [composing, setComposing] = useState(false);
  const isEmpty = text.trim() === "";

  const send = () => {
    if (isEmpty) return;
    onSend(text.trim());
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape") event.currentTarget.blur();
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className={cx(
        "relative rounded-xl border border-line-strong bg-surface shadow-small transition-colors focus-within:border-focus focus-within:ring-3 focus-within:ring-accent-soft",
      )}
    >
      <textarea
        ref={inputRef}
        aria-label={placeholder}
        data-testid="composer"
        value={text}
        // biome-ignore lint/a11y/noAutofocus: asked for only where writing is the page's one purpose.
        autoFocus={autoFocus}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        onCompositionStart={() => setComposing(true)}
        onCompositionEnd={() => setComposing(false)}
        placeholder={placeholder}
        rows={large ? 4 : 1}
        className={cx(
          "field-sizing-content block w-full resize-none bg-transparent outline-none",
          large ? "max-h-96 min-h-32 px-4 pt-3.5 pb-12 text-lg" : "max-h-60 min-h-11 py-2.5 pr-12 pl-3.5",
        )}
      />
      <button
        type="submit"
        disabled={isEmpty}
        aria-label="Send"
        title="Send (Enter)"
        data-testid="send"
        className={cx(
          "absolute flex items-center justify-center rounded-lg bg-accent text-on-accent transition-colors hover:bg-accent-hover disabled:bg-sunken disabled:text-ink-mute",
          large ? "right-2.5 bottom-2.5 size-8" : "right-1.5 bottom-1.5 size-8",
        )}
      >
        <ArrowUp className="size-4" aria-hidden="true" />
      </button>
    </form>
  );
}
