import type { Metadata } from "next";
import { BatchPage } from "@/features/payments/BatchPage.tsx";

export const metadata: Metadata = { title: "Batch" };

export default async function Page({ params }: { params: Promise<{ batchId: string }> }) {
  return <BatchPage batchId={decodeURIComponent((await params).batchId)} />;
}
