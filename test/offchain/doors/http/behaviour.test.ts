import { behavesAsADoor } from "../behaviour.ts";
import { openOverHttp } from "./httpDoor.ts";

behavesAsADoor("HTTP", openOverHttp);
