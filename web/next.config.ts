import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

// The repository is one package: "#contracts" and "#offchain/*" resolve from its root.
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const securityHeaders = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  // An approval page inside somebody else's frame is a click-jacking machine.
  { key: "X-Frame-Options", value: "DENY" },
  { key: "Content-Security-Policy", value: "frame-ancestors 'none'; base-uri 'self'; object-src 'none'" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
];

export default {
  // Types have a check of their own: in a build it would take as long as compiling, and the pages are the same.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root },
  outputFileTracingRoot: root,
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  allowedDevOrigins: ["127.0.0.1"],
  headers: async () => [{ source: "/:path*", headers: securityHeaders }],
} satisfies NextConfig;
