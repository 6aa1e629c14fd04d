import { Waiting } from "@/features/approvals/Waiting.tsx";
import { CarbonCard } from "@/features/overview/CarbonCard.tsx";
import { EnergyCard } from "@/features/overview/EnergyCard.tsx";
import { Headline } from "@/features/overview/Headline.tsx";
import { SettlementCard } from "@/features/overview/SettlementCard.tsx";
import { ClosingNotice } from "@/features/payments/ClosingNotice.tsx";
import { LiveRate } from "@/features/payments/LiveRate.tsx";
import { OpenBatch } from "@/features/payments/OpenBatch.tsx";
import { SolvencyCard } from "@/features/solvency/SolvencyCard.tsx";

export default function OverviewPage() {
  return (
    <div className="space-y-5">
      <h1 className="sr-only">Overview</h1>
      <Headline />
      <ClosingNotice />
      <Waiting />
      <div className="grid items-stretch gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <LiveRate />
        <OpenBatch />
      </div>
      <div className="grid items-stretch gap-5 md:grid-cols-2 2xl:grid-cols-4">
        <SettlementCard />
        <CarbonCard />
        <EnergyCard />
        <SolvencyCard />
      </div>
    </div>
  );
}
