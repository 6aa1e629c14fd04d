import type { Metadata } from "next";
import { BatchList } from "@/features/payments/BatchList.tsx";
import { ClearingPanel } from "@/features/payments/ClearingPanel.tsx";
import { LiveRate } from "@/features/payments/LiveRate.tsx";
import { OpenBatch } from "@/features/payments/OpenBatch.tsx";
import { PaymentFigures } from "@/features/payments/PaymentFigures.tsx";
import { PaymentList } from "@/features/payments/PaymentList.tsx";
import { paymentsWords } from "@/features/payments/words.ts";
import { PageHead } from "@/ui/Section.tsx";

export const metadata: Metadata = { title: "Payments" };

export default function PaymentsPage() {
  return (
    <div className="space-y-6">
      <PageHead title="Payments">{paymentsWords.intro}</PageHead>
      <PaymentFigures />
      <div className="grid items-stretch gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <LiveRate />
        <OpenBatch />
      </div>
      <BatchList />
      <ClearingPanel />
      <PaymentList title={paymentsWords.newest} isLive />
    </div>
  );
}
