import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { PackageOpen, RotateCw } from "lucide-react";
import { Button } from "@/shared/ui/button";
import { EmptyState, ErrorState } from "@/shared/ui/states";
import { MissingPiece } from "./lazy-page";

/** Where a page should stand that could not be loaded, or that broke. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof MissingPiece) return <PieceMissing />;
  const again = () => {
    reset();
    void router.invalidate();
  };
  return <ErrorState error={error} title="This page stopped working" onRetry={again} />;
}

/** A reload brings the pieces of the newest release. Nobody is reloaded unasked: a message may still be on its way. */
export function PieceMissing() {
  return (
    <div role="alert" data-testid="piece-missing">
      <EmptyState icon={<PackageOpen className="size-6" aria-hidden="true" />} title={"This page could not be loaded"}>
        <p className="mb-4">
          {navigator.onLine
            ? "Patchbay was updated since you opened it, or cannot be reached. A reload brings its newest; what you were writing is kept."
            : "You are offline. Reload when the connection is back; what you were writing is kept."}
        </p>
        <Button
          look="primary"
          icon={<RotateCw className="size-3.5" aria-hidden="true" />}
          onClick={() => window.location.reload()}
        >
          Reload
        </Button>
      </EmptyState>
    </div>
  );
}
