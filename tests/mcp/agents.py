"""Two agents on two connections, with the official client of the Model Context Protocol, against the running program."""

import asyncio
import json
import os
import subprocess
import urllib.request
from contextlib import asynccontextmanager

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["PATCHBAY_URL"]
DATA = os.environ["PATCHBAY_DATA"]
BIN = os.environ["PATCHBAY_BIN"]
TOOLS = {
    "list_projects", "get_project", "get_task", "search_tasks", "propose_patch", "get_proposal", "comment", "claim_task",
    "heartbeat", "release_task", "transition_task", "append_event", "tail_events", "list_jobs",
}
PATIENCE = 120


def owner_key():
    with open(f"{DATA}/owner.key") as file:
        return file.read().strip()


def api(method, path, body=None):
    request = urllib.request.Request(f"{URL}/api/v1{path}", method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {owner_key()}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read() or b"null")


def key(scopes, *more):
    command = [BIN, "key", "create", "--data-dir", DATA, "--scopes", scopes, *more]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]


@asynccontextmanager
async def over_http(secret):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=PATIENCE) as http:
        async with Client(streamable_http_client(f"{URL}/mcp", http_client=http)) as client:
            yield client


@asynccontextmanager
async def over_stdio(secret):
    environment = {**os.environ, "PATCHBAY_KEY": secret}
    async with Client(StdioServerParameters(command=BIN, args=["mcp", "--data-dir", DATA], env=environment)) as client:
        yield client


async def call(client, tool, **arguments):
    """A call that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, f"{tool} {arguments}: {result.content}"
    return result.structured_content


async def refused(client, tool, **arguments):
    """A call that must fail; what it says."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"{tool} {arguments} should have been refused: {result.content}"
    return result.structured_content


async def work(name, client, owner, held, done):
    """Takes what is ready until all is done, and sees that nobody else holds what it holds."""
    while True:
        claimed = await call(client, "claim_task", project="WEB", ttl_seconds=60)
        if claimed["task"] is None:
            state = await call(client, "search_tasks", project="WEB", limit=200)
            if all(task["status"] == "done" for task in state["data"]):
                return
            newest = await call(client, "tail_events", wait=1, project="WEB")
            assert "data" in newest
            continue
        task, lease = claimed["task"]["ref"], claimed["lease"]
        assert held.setdefault(task, name) == name, f"{name} got {task}, which {held[task]} holds"
        under = {"lock_id": lease["lock_id"], "fencing_token": lease["fencing_token"]}
        await call(client, "heartbeat", lock_id=lease["lock_id"])
        await call(client, "transition_task", task=task, to="in_progress", **under)
        await call(client, "append_event", event="work.done", task=task, details={"by": name})
        await call(client, "transition_task", task=task, to="review", **under)
        said = await refused(client, "transition_task", task=task, to="approved", **under)
        assert "not for you" in json.dumps(said), said
        await call(owner, "transition_task", task=task, to="approved")
        await call(client, "transition_task", task=task, to="merging", **under)
        changed = await call(client, "transition_task", task=task, to="done", **under)
        assert (changed["old"]["status"], changed["new"]["status"]) == ("merging", "done")
        assert held.pop(task) == name
        done.append((name, task))
        await call(client, "release_task", lock_id=lease["lock_id"])
        late = await refused(client, "transition_task", task=task, to="queued", reason="late", **under)
        assert late["type"] == "/problems/lease-lost", late


async def the_backlog_is_worked_to_its_end(one, two, owner):
    held, done = {}, []
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(work("one", one, owner, held, done), work("two", two, owner, held, done))
    tasks = [task for _, task in done]
    assert len(tasks) == len(set(tasks)) == 12, done
    assert {name for name, _ in done} == {"one", "two"}, f"both had their part: {done}"
    events = await call(one, "tail_events", since=0, event="work.done")
    assert sorted(event["target"] for event in events["data"]) == sorted(tasks)
    order = [task for _, task in done]
    assert order.index("WEB-1") < order.index("WEB-12"), "what waits for another comes after it"


async def every_tool_does_what_it_says(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == TOOLS, set(tools) ^ TOOLS
    assert all(tool.description and tool.input_schema["type"] == "object" for tool in tools.values())
    projects = await call(client, "list_projects")
    assert [project["key"] for project in projects["data"]] == ["OPS", "WEB"]
    assert (await call(client, "get_project", project="OPS"))["tasks"][0]["ref"] == "OPS-1"
    assert (await call(client, "get_task", task="ops-1"))["can_go_to"]
    assert (await call(client, "search_tasks", text="SERVER", project="OPS"))["data"][0]["ref"] == "OPS-1"
    patch = {"tasks": [{"op": "update", "task_id": "OPS-1", "body": {"priority": "P1"}}]}
    proposal = await call(client, "propose_patch", project="OPS", patch=patch, message="It is urgent.")
    number = proposal["number"]
    await call(client, "comment", number=number, text="Please look.")
    read = await call(client, "get_proposal", number=number)
    assert read["state"] == "open" and read["comments"][0]["text"] == "Please look."
    claimed = await call(client, "claim_task", task="OPS-1")
    await call(client, "release_task", lock_id=claimed["lease"]["lock_id"], reason="not mine")
    assert (await call(client, "get_task", task="OPS-1"))["assignee"] is None
    assert "data" in await call(client, "list_jobs")
    said = await refused(client, "get_task", tusk="OPS-1")
    assert "tusk" in json.dumps(said), said


async def no_tool_does_more_than_the_key(client):
    patch = {"tasks": [{"op": "update", "task_id": "OPS-1", "body": {"title": "taken"}}]}
    assert (await refused(client, "propose_patch", project="OPS", patch=patch, apply=True))["status"] == 403
    assert (await refused(client, "claim_task", task="OPS-1"))["status"] == 403
    assert (await refused(client, "transition_task", task="OPS-1", to="doing"))["status"] == 403
    assert (await call(client, "propose_patch", project="OPS", patch=patch))["state"] == "open"
    assert (await call(client, "get_task", task="OPS-1"))["title"] == "Move the server"


async def a_key_for_one_project_knows_no_other(client):
    assert [project["key"] for project in (await call(client, "list_projects"))["data"]] == ["OPS"]
    assert (await refused(client, "get_task", task="WEB-1"))["status"] == 404
    assert (await refused(client, "claim_task", task="WEB-1"))["status"] == 404
    assert [task["project"] for task in (await call(client, "search_tasks"))["data"]] == ["OPS"]
    assert "WEB" not in json.dumps(await call(client, "tail_events", since=0))


async def main():
    api("POST", "/projects", {"title": "Website", "key": "WEB", "process": "agents"})
    api("POST", "/projects", {"title": "Operations", "key": "OPS"})
    api("POST", "/collab/tasks", {"project": "OPS", "title": "Move the server"})
    for number in range(1, 13):
        waits_for = ["WEB-1", "WEB-7"] if number == 12 else []
        api("POST", "/collab/tasks", {"project": "WEB", "title": f"Task {number}", "depends_on": waits_for, "priority": "P0" if number == 12 else None})

    async with over_http(owner_key()) as owner, over_http(key("read,propose,apply", "--agent", "one")) as one:
        async with over_stdio(key("read,propose,apply", "--agent", "two")) as two:
            await the_backlog_is_worked_to_its_end(one, two, owner)
            await every_tool_does_what_it_says(two)
        await every_tool_does_what_it_says(one)
    async with over_http(key("read,propose")) as client:
        await no_tool_does_more_than_the_key(client)
    async with over_http(key("read,propose,apply", "--project", "OPS")) as client:
        await a_key_for_one_project_knows_no_other(client)
    async with httpx2.AsyncClient() as http:
        for headers in ({}, {"Authorization": "Bearer pb_wrong"}):
            assert (await http.post(f"{URL}/mcp", json={}, headers=headers)).status_code == 401
    print("two agents worked 12 tasks to their end; every tool was called over both transports")


asyncio.run(main())
