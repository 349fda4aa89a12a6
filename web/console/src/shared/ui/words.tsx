import type { FieldChange } from "../api/types";

/** A text with the words that changed: gone ones struck in red, new ones green. Read out as "removed …, added …". */
export function Words({ words }: { words: NonNullable<FieldChange["words"]> }) {
  return words.map((word, index) => {
    const key = `${index}:${word.text}`;
    if (word.kind === "added") {
      return (
        <ins key={key} className="rounded-sm bg-added-strong px-0.5 text-added-ink no-underline">
          {word.text}
        </ins>
      );
    }
    if (word.kind === "removed") {
      return (
        <del key={key} className="rounded-sm bg-removed-strong px-0.5 text-removed-ink">
          {word.text}
        </del>
      );
    }
    return <span key={key}>{word.text}</span>;
  });
}
