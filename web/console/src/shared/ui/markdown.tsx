import { Fragment, type ReactNode } from "react";
import { cx } from "../lib/cx";
import { type Block, parseMarkdown, type Span } from "../lib/markdown";

/** Markdown as React elements. No HTML is ever produced from text, so nothing in it can act; links go only to http(s), mail and our own pages. */
export function Markdown({ text }: { text: string }) {
  return <div className="space-y-2 break-words [overflow-wrap:anywhere]">{parseMarkdown(text).map(renderBlock)}</div>;
}

function renderBlock(block: Block, index: number): ReactNode {
  switch (block.kind) {
    case "heading":
      return (
        <p key={index} className={cx("font-semibold", block.level === 1 && "text-heading")}>
          {renderSpans(block.spans)}
        </p>
      );
    case "code":
      return (
        <pre key={index} className="overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-xs">
          {block.text}
        </pre>
      );
    case "quote":
      return (
        <blockquote key={index} className="border-line-strong border-l-2 pl-3 text-ink-soft">
          {block.blocks.map(renderBlock)}
        </blockquote>
      );
    case "list": {
      const List = block.ordered ? "ol" : "ul";
      return (
        <List
          key={index}
          start={block.ordered ? block.start : undefined}
          className={block.ordered ? "list-decimal space-y-0.5 pl-5" : "list-disc space-y-0.5 pl-4.5"}
        >
          {block.items.map((item, position) => (
            <li key={position} className="marker:text-ink-mute">
              {renderSpans(item)}
            </li>
          ))}
        </List>
      );
    }
    case "paragraph":
      return <p key={index}>{renderSpans(block.spans)}</p>;
  }
}

function renderSpans(spans: Span[]): ReactNode {
  return spans.map((span, index) => {
    return <Fragment key={index}>{renderSpan(span)}</Fragment>;
  });
}

function renderSpan(span: Span): ReactNode {
  switch (span.kind) {
    case "text":
      return span.text;
    case "break":
      return <br />;
    case "strong":
      return <strong className="font-semibold">{renderSpans(span.spans)}</strong>;
    case "emphasis":
      return <em>{renderSpans(span.spans)}</em>;
    case "strike":
      return <s>{renderSpans(span.spans)}</s>;
    case "code":
      return <code className="rounded bg-sunken px-1 py-px font-mono text-code">{span.text}</code>;
    case "link":
      return (
        <a
          href={span.href}
          className="text-accent-ink underline decoration-current/40 underline-offset-2 hover:decoration-current"
          {...(span.href.startsWith("/") ? {} : { target: "_blank", rel: "noreferrer noopener" })}
        >
          {renderSpans(span.spans)}
        </a>
      );
  }
}
