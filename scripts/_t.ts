import { startStack } from "./stack/stack.ts";
const t=Date.now();
const s = await startStack({ dataDir: "/work/main/data/try", isWebWanted: false, onProgress: (w) => console.log(((Date.now()-t)/1000).toFixed(1), w) });
console.log(s.apiUrl, Date.now()-t);
for (const p of ["/health","/api/v1/overview","/api/v1/treasury","/api/v1/wallets","/api/v1/ledger/reconciliation"]) { const r = await fetch(s.apiUrl+p); console.log(p, r.status, (await r.text()).slice(0,600)); }
await s.stop();
