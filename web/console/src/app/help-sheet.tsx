import { MOD_KEY } from "@/shared/lib/hotkeys";
import { Dialog } from "@/shared/ui/dialog";
import { Kbd } from "@/shared/ui/small";

const KEYS: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      [["?"], "This sheet"],
      [[MOD_KEY, "K"], "Go to anything"],
      [["N"], "New project"],
      [["/"], "Write a message"],
      [["Enter"], "Send the message"],
      [["⇧", "Enter"], "New line in the message"],
      [["Esc"], "Leave the field, close what is open"],
    ],
  },
  {
    title: "In a plan",
    keys: [
      [["J"], "Next line, also ↓"],
      [["K"], "Line before, also ↑"],
      [["Home", "End"], "First and last line"],
      [["←", "→"], "Fold and unfold"],
      [["Enter"], "Open the task"],
      [["U"], "Take back your last change"],
      [["⇧", "U"], "Make it again"],
      [["H"], "History"],
    ],
  },
  {
    title: "In a review",
    keys: [
      [["A"], "Accept what is ticked"],
      [["X"], "Tick or untick the line, also Space"],
      [["D"], "Show or hide what changes in the line"],
      [["E"], "Edit the line"],
      [["R"], "Reject, with a reason"],
    ],
  },
];

const WORDS = [
  "Build a new sign-in flow. We need the schema, the form, and tests.",
  "combine the first two, and add documentation after the tests",
  "split 2 into design and build",
  "push everything by a week",
  "what is due this week?",
];

export function HelpSheet({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keys and words" size="large" testId="help">
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {KEYS.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1.5 font-medium text-sm">{group.title}</h3>
            <dl className="space-y-1">
              {group.keys.map(([keys, what]) => (
                <div key={what} className="flex items-center justify-between gap-4 text-sm">
                  <dt className="text-ink-soft">{what}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3 className="mb-1.5 font-medium text-sm">Things to write</h3>
          <ul className="space-y-1 text-ink-soft text-sm">
            {WORDS.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  );
}
