import { claimDataFolder } from "../../../scripts/stack/dataFolder.ts";

// Claims the folder, says so, and stays until it is killed.
await claimDataFolder(process.argv[2] ?? "");
process.send?.("claimed");
setInterval(() => {}, 60_000);
