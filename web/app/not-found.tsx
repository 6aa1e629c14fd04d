import { missingPage } from "@/features/shell/words.ts";
import { ButtonLink } from "@/ui/Button.tsx";
import { PageHead } from "@/ui/Section.tsx";

export default function NotFound() {
  return (
    <div className="space-y-5">
      <PageHead title={missingPage.title}>{missingPage.text}</PageHead>
      <ButtonLink href="/">{missingPage.home}</ButtonLink>
    </div>
  );
}
