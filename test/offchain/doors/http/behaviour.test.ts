import { behavesAsADoor } from "../behaviour.ts";
import { streamsAsADoor } from "../streams.ts";
import { openOverHttp } from "./httpDoor.ts";

behavesAsADoor("HTTP", openOverHttp);
streamsAsADoor("HTTP", openOverHttp);
