import type { Metadata } from "next";
import { WalletPage } from "@/features/wallets/WalletPage.tsx";

export const metadata: Metadata = { title: "Wallet" };

export default async function Page({ params }: { params: Promise<{ address: string }> }) {
  return <WalletPage address={(await params).address} />;
}
