import { Notifications } from "@/features/notifications/notifications";
import { useTitle } from "@/shared/lib/use-title";

export function NotificationsPage() {
  useTitle("Notifications");
  return (
    <div className="mx-auto max-w-4xl px-4 py-8 sm:px-8">
      <h1 className="mb-5 font-semibold text-2xl tracking-tight">Notifications</h1>
      <Notifications />
    </div>
  );
}
