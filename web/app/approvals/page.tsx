import type { Metadata } from "next";
import { Suspense } from "react";
import { Queue } from "@/features/approvals/Queue.tsx";
import { queueWords } from "@/features/approvals/words.ts";
import { PageHead } from "@/ui/Section.tsx";

export const metadata: Metadata = { title: "Approvals" };

export default function ApprovalsPage() {
  return (
    <div className="space-y-6">
      <PageHead title="Approvals">{queueWords.intro}</PageHead>
      <Suspense>
        <Queue />
      </Suspense>
    </div>
  );
}
