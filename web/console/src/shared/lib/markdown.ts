/** The Markdown that Patchbay's replies and descriptions use, parsed into plain data. What is not understood stays as text. */
export type Span =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "break" }
  | { kind: "strong" | "emphasis" | "strike"; spans: Span[] }
  | { kind: "link"; href: string; spans: Span[] };

export type Block =
  | { kind: "paragraph"; spans: Span[] }
  | { kind: "heading"; level: number; spans: Span[] }
  | { kind: "list"; ordered: boolean; start: number; items: Span[][] }
  | { kind: "code"; text: string }
  | { kind: "quote"; blocks: Block[] };

const BULLET = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

export function parseMarkdown(text: string): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  const take = (matches: (line: string) => boolean) => {
    const from = at;
    while (at < lines.length && matches(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      at += 1;
    } else if (line.startsWith("```")) {
      at += 1;
      blocks.push({ kind: "code", text: take((next) => !next.startsWith("```")).join("\n") });
      at += 1;
    } else if (line.startsWith(">")) {
      const inner = take((next) => next.startsWith(">")).map((next) => next.replace(/^> ?/, ""));
      blocks.push({ kind: "quote", blocks: parseMarkdown(inner.join("\n")) });
    } else if (/^#{1,6}\s/.test(line)) {
      at += 1;
      blocks.push({
        kind: "heading",
        level: /^#+/.exec(line)?.[0].length ?? 1,
        spans: parseSpans(line.replace(/^#{1,6}\s+/, "")),
      });
    } else if (BULLET.test(line)) {
      blocks.push(parseList(take((next) => BULLET.test(next) || /^\s{2,}\S/.test(next))));
    } else {
      const paragraph = take((next) => next.trim() !== "" && !/^(```|>|#{1,6}\s)/.test(next) && !BULLET.test(next));
      blocks.push({ kind: "paragraph", spans: parseSpans(paragraph.join("\n")) });
    }
  }
  return blocks;
}

function parseList(lines: string[]): Block {
  const items: string[] = [];
  for (const line of lines) {
    const bullet = BULLET.exec(line);
    if (bullet) items.push(bullet[2] ?? "");
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  const first = BULLET.exec(lines[0] ?? "")?.[1];
  return { kind: "list", ordered: first !== undefined, start: Number(first ?? 1), items: items.map(parseSpans) };
}

const INLINE =
  /(`+)(?<code>.+?)\1|\*\*(?<strong>.+?)\*\*|~~(?<strike>.+?)~~|\*(?<star>[^*\s](?:[^*]*[^*\s])?)\*|(?<![\p{L}\p{N}_])_(?<under>[^_\s](?:[^_]*[^_\s])?)_(?![\p{L}\p{N}_])|\[(?<label>[^\]]+)\]\((?<href>[^)\s]+)\)|(?<bare>https?:\/\/[^\s<>)]+[^\s<>).,;:!?])|(?<line>\n)|\\(?<escaped>[\\`*_{}[\]()#+\-.!~>])/su;

export function parseSpans(text: string): Span[] {
  const spans: Span[] = [];
  let rest = text;
  while (rest) {
    const match = INLINE.exec(rest);
    if (!match) break;
    if (match.index > 0) spans.push({ kind: "text", text: rest.slice(0, match.index) });
    spans.push(toSpan(match));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest) spans.push({ kind: "text", text: rest });
  return spans;
}

function toSpan(match: RegExpExecArray): Span {
  const { code, strong, strike, star, under, label, href, bare, line, escaped } = match.groups ?? {};
  if (code !== undefined) return { kind: "code", text: code };
  if (strong !== undefined) return { kind: "strong", spans: parseSpans(strong) };
  if (strike !== undefined) return { kind: "strike", spans: parseSpans(strike) };
  const emphasis = star ?? under;
  if (emphasis !== undefined) return { kind: "emphasis", spans: parseSpans(emphasis) };
  if (line !== undefined) return { kind: "break" };
  if (bare !== undefined) return { kind: "link", href: bare, spans: [{ kind: "text", text: bare }] };
  if (label !== undefined && href !== undefined && isSafe(href))
    return { kind: "link", href, spans: parseSpans(label) };
  return { kind: "text", text: escaped ?? match[0] };
}

/** Only places that cannot run anything: the web, mail, and this console ("//host" is another host). */
function isSafe(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href) || /^\/(?![/\\])/.test(href);
}

/** What Markdown says, on one line and without its signs: where there is room for a glance only. */
export function plainText(markdown: string): string {
  const text = parseMarkdown(markdown).map(textOf).join(" ");
  // A link that leads nowhere from here has stayed text.
  return text
    .replace(/\[([^\]]+)\]\([^)\s]+\)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}

function textOf(block: Block): string {
  switch (block.kind) {
    case "code":
      return block.text;
    case "quote":
      return block.blocks.map(textOf).join(" ");
    case "list":
      return block.items.map(textOfSpans).join(" ");
    default:
      return textOfSpans(block.spans);
  }
}

function textOfSpans(spans: Span[]): string {
  return spans
    .map((span) => {
      if (span.kind === "break") return " ";
      return "spans" in span ? textOfSpans(span.spans) : span.text;
    })
    .join("");
}
