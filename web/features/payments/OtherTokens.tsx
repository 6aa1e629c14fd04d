import { Money } from "@/ui/Money.tsx";

/** What is in other tokens than USDC, beside the figure that is in USDC; nothing when there is none. */
export function OtherTokens({ amounts }: { amounts: readonly { amount: string; unit: string }[] }) {
  return amounts.map((money) => (
    <span key={money.unit} className="mr-2">
      and <Money {...money} limit={4} />
    </span>
  ));
}
