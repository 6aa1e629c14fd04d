const paths = {
  alert:
    "M8 5v3.5M8 11v.01M6.9 2.6 1.6 11.8A1.25 1.25 0 0 0 2.7 13.7h10.6a1.25 1.25 0 0 0 1.1-1.9L9.1 2.6a1.25 1.25 0 0 0-2.2 0Z",
  arrow: "M3 8h10m-4-4 4 4-4 4",
  back: "M13 8H3m4-4L3 8l4 4",
  check: "m3 8.5 3.5 3.5L13 5",
  chart: "M2 13V3m0 10h12M4.5 10l3-3 2.5 2L14 4.5",
  chevron: "m4 6 4 4 4-4",
  clock: "M8 4.5V8l2.2 1.6M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z",
  copy: "M5.5 5.5V3.2c0-.7.5-1.2 1.2-1.2h6.1c.7 0 1.2.5 1.2 1.2v6.1c0 .7-.5 1.2-1.2 1.2h-2.3M3.2 5.5h6.1c.7 0 1.2.5 1.2 1.2v6.1c0 .7-.5 1.2-1.2 1.2H3.2c-.7 0-1.2-.5-1.2-1.2V6.7c0-.7.5-1.2 1.2-1.2Z",
  cross: "m4 4 8 8m0-8-8 8",
  dash: "M4 8h8",
  menu: "M2 4.5h12M2 8h12M2 11.5h12",
  moon: "M13.8 9.4A6 6 0 1 1 6.6 2.2a4.8 4.8 0 0 0 7.2 7.2Z",
  open: "M9 2.5h4.5V7M13.5 2.5 7.5 8.5M6.5 3H3.7C3 3 2.5 3.5 2.5 4.2v8.1c0 .7.5 1.2 1.2 1.2h8.1c.7 0 1.2-.5 1.2-1.2V9.5",
  overview: "M2.5 2.5h4.5v6H2.5zM9 2.5h4.5v3.5H9zM9 8h4.5v5.5H9zM2.5 10.5H7v3H2.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  pen: "m9.8 3.6 2.6 2.6M2.5 13.5l.7-3.3 7.4-7.4a1.3 1.3 0 0 1 1.8 0l.8.8a1.3 1.3 0 0 1 0 1.8l-7.4 7.4z",
  play: "M4.5 2.8v10.4L13 8z",
  scales:
    "M8 2.5v11M5 13.5h6M3 4.5h10M3 4.5 1.300 8.700a1.900 1.900 0 0 0 3.400 0zM13 4.500l-1.700 4.200a1.900 1.900 0 0 0 3.400 0z",
  stream: "M1.5 8h2.2l2-5 4 10 2.1-5h2.7",
  sun: "M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7M10.8 8a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0Z",
  system:
    "M2.7 2.5h10.6c.4 0 .7.3.7.7v6.6c0 .4-.3.7-.7.7H2.7a.7.7 0 0 1-.7-.7V3.2c0-.4.3-.7.7-.7ZM8 10.5v3m-2.5 0h5",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.7h11M6.5 6.3V13",
  wallet:
    "M2 4.8v7c0 .9.7 1.7 1.6 1.7h9c.8 0 1.4-.6 1.4-1.4V6.9c0-.8-.6-1.4-1.4-1.4H3.3C2.6 5.500 2 5 2 4.200s.600-1.300 1.300-1.300h8.200M11 9.500v.010",
} as const;

export type IconName = keyof typeof paths;

/** A 16 px line icon; decoration only, the words beside it carry the meaning. */
export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`shrink-0 ${className}`}
    >
      <path d={paths[name]} />
    </svg>
  );
}
