import type { Metadata } from "next";
import { ClosingNotice } from "@/features/payments/ClosingNotice.tsx";
import { WalletPage } from "@/features/wallets/WalletPage.tsx";

export const metadata: Metadata = { title: "Wallet" };

export default async function Page({ params }: { params: Promise<{ address: string }> }) {
  const { address } = await params;
  return (
    <div className="space-y-6">
      <ClosingNotice payee={address} />
      <WalletPage address={address} />
    </div>
  );
}
