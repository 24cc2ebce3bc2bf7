// Writes package-lock.json. What npm adds about who to sponsor is left out: a lock file here holds no addresses.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const LOCK = "package-lock.json";

execFileSync("npm", ["install", "--package-lock-only"], { stdio: "inherit" });
const lock = JSON.parse(readFileSync(LOCK, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
}
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
