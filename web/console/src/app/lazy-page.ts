import { type ComponentType, createElement, type ReactNode, use } from "react";

/** A piece of the console did not come: the connection is gone, or a newer release has other pieces. */
export class MissingPiece extends Error {
  constructor(cause: unknown) {
    super("a piece of the console could not be loaded", { cause });
    this.name = "MissingPiece";
  }
}

export interface LazyPage<Props> {
  (props: Props): ReactNode;
  /** Fetches its piece, once. The router asks for it when a link is pointed at, and waits for it before it goes there. */
  preload: () => Promise<void>;
}

/** A component that is in a piece of its own: the export `name` of what `load` imports. */
export function lazyPage<Name extends string, Props extends object>(
  load: () => Promise<{ [name in Name]: ComponentType<Props> }>,
  name: Name,
): LazyPage<Props> {
  let Loaded: ComponentType<Props> | null = null;
  let loading: Promise<void> | null = null;
  const preload = () => {
    loading ??= load().then(
      (piece) => {
        Loaded = piece[name];
      },
      (cause) => {
        loading = null;
        throw new MissingPiece(cause);
      },
    );
    return loading;
  };
  const Page = (props: Props) => {
    if (Loaded === null) use(preload());
    return Loaded && createElement(Loaded, props);
  };
  return Object.assign(Page, { preload });
}
