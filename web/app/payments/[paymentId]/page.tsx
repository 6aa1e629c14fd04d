import type { Metadata } from "next";
import { ReceiptPage } from "@/features/payments/ReceiptPage.tsx";

export const metadata: Metadata = { title: "Receipt" };

export default async function Page({ params }: { params: Promise<{ paymentId: string }> }) {
  return <ReceiptPage paymentId={decodeURIComponent((await params).paymentId)} />;
}
