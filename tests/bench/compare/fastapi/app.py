"""The yardstick: the same writes and reads as a plain FastAPI service with SQLAlchemy does them. DATABASE is the address.

POST /apply/{client} takes a patch of creates, GET /tree/{client} answers with a project of 50 tasks.
"""

import hashlib
import os
import uuid
from contextlib import asynccontextmanager
from datetime import date, datetime, timezone

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, LargeBinary, MetaData, String, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

engine = create_async_engine(os.environ["DATABASE"], pool_size=8)
session = async_sessionmaker(engine, expire_on_commit=False)


def now() -> datetime:
    return datetime.now(timezone.utc)


class Base(DeclarativeBase):
    metadata = MetaData(schema="plain")


class Project(Base):
    __tablename__ = "project"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String, unique=True)
    version: Mapped[int] = mapped_column(default=0)
    next_task: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Task(Base):
    __tablename__ = "task"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    project_id: Mapped[int] = mapped_column(ForeignKey("plain.project.id"), index=True)
    number: Mapped[int]
    rank: Mapped[bytes] = mapped_column(LargeBinary)
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="todo")
    priority: Mapped[str | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    detail: Mapped[dict] = mapped_column(JSONB, default=dict)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Revision(Base):
    __tablename__ = "revision"
    project_id: Mapped[int] = mapped_column(ForeignKey("plain.project.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    patch: Mapped[dict] = mapped_column(JSON)
    inverse: Mapped[dict] = mapped_column(JSON)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Event(Base):
    __tablename__ = "event"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    event: Mapped[str]
    target: Mapped[str]
    details: Mapped[dict] = mapped_column(JSONB)


class Audit(Base):
    __tablename__ = "audit"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    action: Mapped[str]
    target: Mapped[str]
    details: Mapped[dict] = mapped_column(JSONB)


class Criterion(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=500)
    done: bool = False


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    description: str | None = None
    priority: str | None = None
    labels: list[str] = []
    estimate_minutes: int | None = None
    due_on: date | None = None
    acceptance_criteria: list[Criterion] = []


class Create(BaseModel):
    model_config = ConfigDict(extra="forbid")
    op: str = Field(pattern="^create$")
    task_id: str
    body: Body


class Patch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tasks: list[Create]


class Apply(BaseModel):
    mode: str
    patch: Patch


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    number: int
    title: str
    status: str
    priority: str | None
    due_on: date | None
    detail: dict
    updated_at: datetime


class Tree(BaseModel):
    key: str
    version: int
    tasks: list[Shown]


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def add(db: AsyncSession, client: int, patch: Patch) -> Project:
    count = len(patch.tasks)
    head = update(Project).where(Project.id == client).values(version=Project.version + 1, next_task=Project.next_task + count, updated_at=now())
    project = (await db.execute(head.returning(Project))).scalar_one()
    for n, create in enumerate(patch.tasks):
        number = project.next_task - count + n
        body = create.body
        detail = body.model_dump(mode="json", include={"description", "labels", "estimate_minutes", "acceptance_criteria"})
        rank = number.to_bytes(4, "big")
        db.add(Task(project_id=client, number=number, rank=rank, title=body.title, priority=body.priority, due_on=body.due_on, detail=detail))
    said = patch.model_dump(mode="json")
    db.add(Revision(project_id=client, number=project.version, patch=said, inverse={"tasks": []}, digest=hashlib.sha256(repr(said).encode()).digest()))
    seq = (await db.execute(select(func.nextval("plain.event_seq")))).scalar_one()
    db.add(Event(seq=seq, event="project.changed", target=project.key, details={"operations": count}))
    db.add(Audit(action="project.changed", target=project.key, details={"operations": count}))
    return project


@app.post("/apply/{client}")
async def apply(client: int, asked: Apply) -> dict[str, int]:
    async with session.begin() as db:
        project = await add(db, client, asked.patch)
        return {"version": project.version}


@app.get("/tree/{client}")
async def tree(client: int) -> Tree:
    async with session() as db:
        project = await db.get_one(Project, 100 + client)
        tasks = await db.scalars(select(Task).where(Task.project_id == 100 + client).order_by(Task.rank))
        return Tree(key=project.key, version=project.version, tasks=[Shown.model_validate(task) for task in tasks])


async def prepare() -> None:
    async with engine.begin() as conn:
        await conn.execute(CreateSchema("plain"))
        await conn.exec_driver_sql("create sequence plain.event_seq")
        await conn.run_sync(Base.metadata.create_all)
    async with session.begin() as db:
        db.add_all(Project(id=n, key=f"P{n}") for client in range(16) for n in (client, 100 + client))
    async with session.begin() as db:
        for client in range(16):
            await add(db, 100 + client, Patch(tasks=[Create(op="create", task_id=f"t{n}", body=Body(title=f"Task {n}")) for n in range(50)]))


if __name__ == "__main__":
    import asyncio

    asyncio.run(prepare())
