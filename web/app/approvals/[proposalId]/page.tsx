import type { Metadata } from "next";
import { ProposalPage } from "@/features/approvals/ProposalPage.tsx";

export const metadata: Metadata = { title: "Proposal" };

export default async function Page({ params }: { params: Promise<{ proposalId: string }> }) {
  return <ProposalPage proposalId={(await params).proposalId} />;
}
