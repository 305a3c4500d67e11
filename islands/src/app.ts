/**
 * What every page loads. Each page works without it: the script only saves a click or a reload.
 */
import "../styles/app.scss";
import { startComponents, markAsSupported } from "./components";
import { startPolling } from "./polling";

markAsSupported(document.body);
startComponents(document);
startPolling();
