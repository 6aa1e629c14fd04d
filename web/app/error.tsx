"use client";
import { brokenPage } from "@/features/shell/words.ts";
import { FailureNotice } from "@/ui/Notice.tsx";
import { PageHead } from "@/ui/Section.tsx";

export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <div className="space-y-5">
      <PageHead title={brokenPage} />
      <FailureNotice error={error} onRetry={reset} />
    </div>
  );
}
