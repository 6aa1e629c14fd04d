import { ButtonLink } from "@/ui/Button.tsx";
import { PageHead } from "@/ui/Section.tsx";

export default function NotFound() {
  return (
    <div className="space-y-5">
      <PageHead title="There is no such page">
        The address may be mistyped, or of a page that is yet to come.
      </PageHead>
      <ButtonLink href="/">Go to the overview</ButtonLink>
    </div>
  );
}
