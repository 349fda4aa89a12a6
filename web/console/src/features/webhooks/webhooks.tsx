import { useQuery } from "@tanstack/react-query";
import { ArrowDownToLine, ArrowUpFromLine, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/shared/ui/button";
import { Lines } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState } from "@/shared/ui/states";
import { AddEndpointDialog } from "./add-endpoint-dialog";
import { AddSourceDialog } from "./add-source-dialog";
import { endpointsQuery } from "./api/endpoints";
import { sourcesQuery } from "./api/sources";
import { EndpointLine } from "./endpoint-line";
import { SourceLine } from "./source-line";

/** What other services tell Patchbay, and what it tells them. */
export function Webhooks() {
  return (
    <div className="space-y-10">
      <Sources />
      <Endpoints />
    </div>
  );
}

function Sources() {
  const sources = useQuery(sourcesQuery);
  const [isAdding, setAdding] = useState(false);
  const add = <AddButton onClick={() => setAdding(true)}>Add a source</AddButton>;
  const isEmpty = sources.data?.length === 0;
  return (
    <section aria-labelledby="sources">
      <SectionHeader
        id="sources"
        title="In"
        lead="Services that tell Patchbay things. What they say becomes a proposal, or the commands of a template."
        action={!isEmpty && add}
      />
      <Loaded query={sources} what="the sources">
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              framed
              icon={<ArrowDownToLine className="size-6" aria-hidden="true" />}
              title="Nobody tells us anything"
            >
              <p>A failed check on GitHub, an alert, a form: let it become a proposal.</p>
              <div className="mt-4">{add}</div>
            </EmptyState>
          ) : (
            <Lines testId="source-list">
              {all.map((source) => (
                <SourceLine key={source.id} source={source} />
              ))}
            </Lines>
          )
        }
      </Loaded>
      <AddSourceDialog open={isAdding} onClose={() => setAdding(false)} />
    </section>
  );
}

function Endpoints() {
  const endpoints = useQuery(endpointsQuery);
  const [isAdding, setAdding] = useState(false);
  const add = <AddButton onClick={() => setAdding(true)}>Add an endpoint</AddButton>;
  const isEmpty = endpoints.data?.length === 0;
  return (
    <section aria-labelledby="endpoints">
      <SectionHeader
        id="endpoints"
        title="Out"
        lead="Services that Patchbay tells what happens: signed, and again for three days until they take it."
        action={!isEmpty && add}
      />
      <Loaded query={endpoints} what="the endpoints">
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              framed
              icon={<ArrowUpFromLine className="size-6" aria-hidden="true" />}
              title="We tell nobody anything"
            >
              <p>Give a URL, and it hears of proposals and changes as they happen.</p>
              <div className="mt-4">{add}</div>
            </EmptyState>
          ) : (
            <Lines testId="endpoint-list">
              {all.map((endpoint) => (
                <EndpointLine key={endpoint.id} endpoint={endpoint} />
              ))}
            </Lines>
          )
        }
      </Loaded>
      <AddEndpointDialog open={isAdding} onClose={() => setAdding(false)} />
    </section>
  );
}

function AddButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <Button look="primary" onClick={onClick} icon={<Plus className="size-4" aria-hidden="true" />}>
      {children}
    </Button>
  );
}
