"use client";
import { useTheme } from "next-themes";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { RatePoint } from "@/lib/live/stream.ts";

const spanSeconds = 120;

/** The rate of the last two minutes, drawn by uPlot in the theme's own colours. */
export function RateChart({ points }: { points: readonly RatePoint[] }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { resolvedTheme } = useTheme();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes what the style sheet answers
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const chart = new uPlot(optionsFor(element), dataOf([]), element);
    plot.current = chart;
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [resolvedTheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme makes a new chart, which needs its data
  useEffect(() => {
    plot.current?.setData(dataOf(points));
  }, [points, resolvedTheme]);

  return <div ref={box} aria-hidden="true" className="h-full w-full" />;
}

function dataOf(points: readonly RatePoint[]): uPlot.AlignedData {
  return [points.map(({ at }) => at / 1000), points.map(({ perSecond }) => perSecond)];
}

function optionsFor(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const ink = style.getPropertyValue("--ink-3");
  const line = style.getPropertyValue("--line");
  const accent = style.getPropertyValue("--accent");
  const fontSize = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.6875;
  const axis: uPlot.Axis = {
    stroke: ink,
    font: `${fontSize}px ${style.fontFamily}`,
    ticks: { show: false },
    border: { show: false },
  };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7, fill: accent } },
    scales: {
      x: { range: (_, __, max) => [max - spanSeconds, max] },
      y: { range: (_, __, max) => [0, Math.max(5, max * 1.15)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 90,
        values: (_, splits) => splits.map((at) => new Date(at * 1000).toLocaleTimeString("en-GB")),
      },
      { ...axis, grid: { stroke: line, width: 1 }, size: 44, space: 44 },
    ],
    series: [
      {},
      {
        stroke: accent,
        width: 1.75,
        fill: `color-mix(in oklab, ${accent} 12%, transparent)`,
        points: { show: false },
      },
    ],
  };
}
