import type { ReactNode } from "react";
import { Banner, ClockBanner, PausedBanner } from "./Banner.tsx";
import { Brand, Navigation } from "./Navigation.tsx";
import { Status } from "./Status.tsx";
import { ThemeSwitch } from "./ThemeSwitch.tsx";
import { shellWords } from "./words.ts";

/** What stands around every page: where one is, whether it is fresh, who one is. */
export function Shell({ connect, children }: { connect: ReactNode; children: ReactNode }) {
  return (
    <div className="lg:grid lg:min-h-dvh lg:grid-cols-[14rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {shellWords.skip}
      </a>
      <aside className="sticky top-0 z-30 hidden h-dvh flex-col border-line border-r px-3 py-4 lg:flex">
        <Brand />
        <Navigation />
        <div className="mt-auto px-2">
          <ThemeSwitch />
        </div>
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="sticky top-0 z-20 border-line border-b bg-ground/92 backdrop-blur-md">
          <div className="flex min-h-14 items-center justify-between gap-3 px-4 sm:px-6 lg:px-8">
            <div className="flex min-w-0 items-center gap-3">
              <div className="lg:hidden">
                <Brand isShort />
              </div>
              <Status />
            </div>
            {connect}
          </div>
          <div className="flex items-center justify-between gap-2 overflow-x-auto border-line border-t px-2 sm:px-4 lg:hidden">
            <Navigation isRow />
            <ThemeSwitch isShort />
          </div>
        </header>
        <PausedBanner />
        <ClockBanner />
        <Banner />
        <main
          id="content"
          tabIndex={-1}
          className="mx-auto w-full max-w-[84rem] flex-1 px-4 pt-6 pb-16 outline-none sm:px-6 lg:px-8 lg:pt-8"
        >
          {children}
        </main>
      </div>
    </div>
  );
}
