import { Link } from "@tanstack/react-router";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/states";

export function NotFoundPage() {
  return (
    <div className="flex min-h-full items-center justify-center">
      <EmptyState title="There is nothing here">
        <p className="mb-4">The address may be mistyped, or what it names is gone.</p>
        <Button asChild look="primary">
          <Link to="/">To the projects</Link>
        </Button>
      </EmptyState>
    </div>
  );
}
