import { afterEach } from "vitest";

afterEach(() => sessionStorage.clear());
