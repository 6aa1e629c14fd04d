import type { Metadata } from "next";
import { SolvencyPage } from "@/features/solvency/SolvencyPage.tsx";

export const metadata: Metadata = { title: "Solvency" };

export default SolvencyPage;
