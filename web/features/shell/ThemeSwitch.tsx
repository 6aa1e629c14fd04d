"use client";
import { useTheme } from "next-themes";
import { useIsHydrated } from "@/lib/hydration.ts";
import { Icon, type IconName } from "@/ui/Icon.tsx";
import { themeWords } from "./words.ts";

const themes: readonly { value: keyof typeof themeWords.next; label: string; icon: IconName }[] = [
  { value: "light", label: themeWords.light, icon: "sun" },
  { value: "dark", label: themeWords.dark, icon: "moon" },
  { value: "system", label: themeWords.system, icon: "system" },
];

/** Light, dark, or as the system has it; in short form one button that goes round. */
export function ThemeSwitch({ isShort = false }: { isShort?: boolean }) {
  const { theme = "system", setTheme } = useTheme();
  // The server does not know the theme: until the browser speaks, none is marked.
  const isKnown = useIsHydrated();
  if (isShort) {
    const here = themes.findIndex(({ value }) => value === theme);
    const next = themes[(here + 1) % themes.length];
    return (
      <button
        type="button"
        aria-label={themeWords.next[next?.value ?? "system"]}
        className="grid size-8 shrink-0 place-items-center rounded-md text-ink-3 hover:bg-sunken hover:text-ink"
        onClick={() => setTheme(next?.value ?? "system")}
      >
        <Icon name={(isKnown && themes[here]?.icon) || "system"} />
      </button>
    );
  }
  return (
    <fieldset className="inline-flex gap-0.5 rounded-lg bg-sunken p-0.5">
      <legend className="sr-only">{themeWords.label}</legend>
      {themes.map(({ value, label, icon }) => (
        <button
          key={value}
          type="button"
          aria-label={label}
          title={label}
          aria-pressed={isKnown && theme === value}
          onClick={() => setTheme(value)}
          className="grid size-7 place-items-center rounded-md text-ink-3 hover:text-ink aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-flat"
        >
          <Icon name={icon} className="size-3.5" />
        </button>
      ))}
    </fieldset>
  );
}
