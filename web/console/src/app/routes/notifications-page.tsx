import { Notifications } from "@/features/notifications/notifications";
import { useTitle } from "@/shared/lib/use-title";
import { PageBody, PageTitle } from "../page";

export function NotificationsPage() {
  useTitle("Notifications");
  return (
    <PageBody>
      <PageTitle title="Notifications" />
      <Notifications />
    </PageBody>
  );
}
