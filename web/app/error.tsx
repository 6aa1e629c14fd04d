"use client";
import { FailureNotice } from "@/ui/Notice.tsx";
import { PageHead } from "@/ui/Section.tsx";

export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <div className="space-y-5">
      <PageHead title="This page broke" />
      <FailureNotice error={error} onRetry={reset} />
    </div>
  );
}
