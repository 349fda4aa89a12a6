-- What was made of the messages of a thread: how many they are, and whose. Null where a command is its author's own words.
alter table command add column from_thread json;
