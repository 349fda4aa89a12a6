import { useRouter } from "@tanstack/react-router";
import { ErrorState } from "@/shared/ui/states";
import { MissingPiece } from "./lazy-page";
import { PieceMissing } from "./page-error";

/** The server could not even say who is signed in, or what is around every page did not come. */
export function StartError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="flex min-h-full items-center justify-center">
      {error instanceof MissingPiece ? (
        <PieceMissing />
      ) : (
        <ErrorState error={error} title="Patchbay could not be opened" onRetry={() => router.invalidate()} />
      )}
    </main>
  );
}
