import { expect, test } from "vitest";
import { audiencesOf } from "#offchain/doors/http/client/audience.ts";

const here = { localAddress: "127.0.0.1", localPort: 4020 };
const bursar = "https://bursar.example";

test.each(["127.0.0.1:4020", "localhost:4020", "[::1]:4020"])("on this machine it is %s", (host) => {
  expect(audiencesOf({ host, ...here }, [])).toEqual([`http://${host}`]);
  expect(audiencesOf({ host, ...here, localAddress: "::ffff:127.0.0.1" }, [])).toEqual([`http://${host}`]);
});

test.each([
  "127.0.0.1:4021",
  "other.example",
  "other.example:4020",
  "127.0.0.1",
  "",
  "localhost:4020.evil",
  "a b",
])("a host header that names another place is not believed: %s", (host) => {
  expect(audiencesOf({ host, ...here }, [])).toEqual([]);
  expect(audiencesOf({ host, ...here }, [bursar])).toEqual([bursar]);
});

test("on the network it is the socket's own address, with the usual port left out", () => {
  const lan = { localAddress: "192.168.1.5", localPort: 80 };
  expect(audiencesOf({ host: "192.168.1.5", ...lan }, [])).toEqual(["http://192.168.1.5"]);
  expect(audiencesOf({ host: "192.168.1.6", ...lan }, [])).toEqual([]);
  const six = { localAddress: "fd00::5", localPort: 4020 };
  expect(audiencesOf({ host: "[fd00::5]:4020", ...six }, [])).toEqual(["http://[fd00::5]:4020"]);
  const local = { localAddress: "fe80::1%eth0", localPort: 4020 };
  expect(audiencesOf({ host: "[fe80::1]:4020", ...local }, [])).toEqual(["http://[fe80::1]:4020"]);
});

test("behind a proxy it is what the settings say, by the proxy's host header if that tells them apart", () => {
  const both = [bursar, "https://bursar.internal:8443"];
  expect(audiencesOf({ host: "bursar.internal:8443", ...here }, both)).toEqual([both[1]]);
  expect(audiencesOf({ host: "upstream", ...here }, both)).toEqual(both);
  expect(audiencesOf({ host: null, localAddress: undefined, localPort: undefined }, both)).toEqual(both);
});
