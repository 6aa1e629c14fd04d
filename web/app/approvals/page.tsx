import type { Metadata } from "next";
import { Suspense } from "react";
import { Queue } from "@/features/approvals/Queue.tsx";
import { PageHead } from "@/ui/Section.tsx";

export const metadata: Metadata = { title: "Approvals" };

export default function ApprovalsPage() {
  return (
    <div className="space-y-6">
      <PageHead title="Approvals">Payments beyond an agent's limit. No proposal blocks another.</PageHead>
      <Suspense>
        <Queue />
      </Suspense>
    </div>
  );
}
