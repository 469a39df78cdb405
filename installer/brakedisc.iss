; The setup. Built by packaging/build.py, which gives the defines; what it promises stands in docs/install.md.
;   {app}\app      the programs          {app}\new     those of an update, until they take their place
;   {app}\former   those before, until the update has passed its check
#ifndef Version
  #error "Version, Source, Output, Edition, Icon, MinDriver and NeededMb are given by packaging/build.py"
#endif
#define Name "BrakeDisc Inspector"
#define Id "{{6B0D5A3E-8F5B-4E0E-9C35-7B7D2A52C1F4}"
#define UninstallKey "Software\Microsoft\Windows\CurrentVersion\Uninstall\{6B0D5A3E-8F5B-4E0E-9C35-7B7D2A52C1F4}_is1"
#define Rule "BrakeDisc Inspector"

[Setup]
AppId={#Id}
AppName={#Name}
AppVersion={#Version}
AppVerName={#Name} {#Version}
AppPublisher={#Name}
UninstallDisplayName={#Name}
UninstallDisplayIcon={app}\app\BrakeDiscTray.exe
VersionInfoVersion={#Version}
DefaultDirName={autopf}\{#Name}
DisableDirPage=auto
DisableProgramGroupPage=yes
DefaultGroupName={#Name}
PrivilegesRequired=admin
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
Compression=lzma2/fast
SolidCompression=yes
LZMAUseSeparateProcess=yes
LZMANumBlockThreads=2
OutputDir={#Output}
OutputBaseFilename=BrakeDiscInspector-{#Version}-{#Edition}-setup
SetupIconFile={#Icon}
SetupLogging=yes
SetupMutex=BrakeDiscInspectorSetup
; it stops what runs by itself, when the new files are there
CloseApplications=no
RestartApplications=no
WizardStyle=modern
#if Edition == "cuda"
DiskSpanning=yes
DiskSliceSize=2000000000
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "es"; MessagesFile: "compiler:Languages\Spanish.isl"

[CustomMessages]
en.Newer=Version %1 is installed, which is newer than {#Version}. Going back is refused; /FORCE does it. Make a backup first.
es.Newer=Está instalada la versión %1, más nueva que {#Version}. No se vuelve atrás; con /FORCE sí. Haga antes una copia de seguridad.
en.BeforeFailed=The installed version does not pass its own check (code %1), so nothing was changed. The reason is in the log of this setup: %2. /FORCE updates all the same.
es.BeforeFailed=La versión instalada no supera su propia comprobación (código %1); no se ha cambiado nada. El motivo está en el registro de esta instalación: %2. Con /FORCE se actualiza de todos modos.
en.RolledBack=The new version did not pass its check, so the former version is back and runs. The reason is in the log of this setup: %1
es.RolledBack=La versión nueva no superó la comprobación; la anterior está de vuelta y en marcha. El motivo está en el registro de esta instalación: %1
en.RolledBackDoubtful=The new version did not pass its check. The former version is back, but its check fails too: do not inspect before somebody has looked at it. Log: %1
es.RolledBackDoubtful=La versión nueva no superó la comprobación. La anterior está de vuelta, pero tampoco supera la suya: no inspeccione hasta que alguien lo revise. Registro: %1
en.InUse=The programs are in use and could not be replaced: close every BrakeDisc window and command line, then run this setup again. The former version stays. Log: %1
es.InUse=Los programas están en uso y no se han podido sustituir: cierre las ventanas y líneas de comandos de BrakeDisc y ejecute de nuevo esta instalación. La versión anterior se conserva. Registro: %1
en.SettingsRefused=Installed, but the port or the stations were refused. The reason is in the log of this setup: %1
es.SettingsRefused=Instalado, pero no se aceptaron el puerto o los puestos. El motivo está en el registro de esta instalación: %1
en.NoDriver=No NVIDIA driver was found: inspections run on the processor, slowly, until one is installed (nvidia.com/drivers).
es.NoDriver=No se ha encontrado el controlador de NVIDIA: las inspecciones usan el procesador, más lento, hasta que se instale (nvidia.com/drivers).
en.OldDriver=The NVIDIA driver is version %1; this edition needs {#MinDriver} or newer (nvidia.com/drivers). Inspections run on the processor, slowly, until then.
es.OldDriver=El controlador de NVIDIA es la versión %1; esta edición necesita la {#MinDriver} o posterior (nvidia.com/drivers). Hasta entonces las inspecciones usan el procesador, más lento.
en.DiskFull=%1 has %2 MB free, and %3 MB are needed. Nothing was changed: free some space, or choose another drive with /DIR or /DATAROOT, then run this setup again.
es.DiskFull=En %1 quedan %2 MB libres y hacen falta %3 MB. No se ha cambiado nada: libere espacio o elija otra unidad con /DIR o /DATAROOT y ejecute de nuevo esta instalación.
en.Checking=Checking the installed version: freeze training, back up, verify...
es.Checking=Comprobando la versión instalada: congelar el entrenamiento, copia de seguridad, verificación...
en.Replacing=Stopping the former version...
es.Replacing=Deteniendo la versión anterior...
en.Verifying=Checking the new version...
es.Verifying=Comprobando la versión nueva...
en.GoingBack=Going back to the former version...
es.GoingBack=Volviendo a la versión anterior...
en.DataTitle=Data
es.DataTitle=Datos
en.DataAbout=Where models, pictures, records and backups are kept. They stay when the program is uninstalled.
es.DataAbout=Dónde se guardan modelos, imágenes, registros y copias. Se conservan al desinstalar el programa.
en.PortsTitle=Ports
es.PortsTitle=Puertos
en.PortsAbout=TCP ports on this PC. Change them only if another program uses them.
es.PortsAbout=Puertos TCP de este PC. Cámbielos solo si otro programa los usa.
en.Port=Service:
es.Port=Servicio:
en.ScreensPort=Screens:
es.ScreensPort=Pantallas:
en.Stations=Other PCs that may open the screens, such as 192.168.1.0/24 (empty: none):
es.Stations=Otros PC que pueden abrir las pantallas, por ejemplo 192.168.1.0/24 (vacío: ninguno):
en.AtLogOn=Start when somebody logs on
es.AtLogOn=Iniciar cuando alguien inicie sesión

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"
Name: "atlogon"; Description: "{cm:AtLogOn}"

[Files]
Source: "{#Source}\*"; DestDir: "{app}\new"; Flags: ignoreversion recursesubdirs createallsubdirs uninsneveruninstall

[Icons]
Name: "{group}\{#Name}"; Filename: "{app}\app\BrakeDiscTray.exe"; WorkingDir: "{app}\app"
Name: "{commondesktop}\{#Name}"; Filename: "{app}\app\BrakeDiscTray.exe"; WorkingDir: "{app}\app"; Tasks: desktopicon

[Registry]
Root: HKLM; Subkey: "Software\Microsoft\Windows\CurrentVersion\Run"; ValueType: string; ValueName: "BrakeDiscInspector"; ValueData: """{app}\app\BrakeDiscTray.exe"""; Flags: uninsdeletevalue; Tasks: atlogon

[UninstallDelete]
Type: filesandordirs; Name: "{app}\app"
Type: filesandordirs; Name: "{app}\new"
Type: filesandordirs; Name: "{app}\former"
Type: filesandordirs; Name: "{app}\failed"
Type: files; Name: "{app}\data-root.txt"
; of a setup that was killed
Type: files; Name: "{app}\is-*.tmp"
Type: dirifempty; Name: "{app}"

[Code]
const
  RolledBack = 21;
  RolledBackDoubtful = 22;
  InUse = 23;
  SettingsRefused = 24;
  SpareMb = 100;         { of the programs' drive, afterwards }
  DataMb = 2048;         { twice what the service keeps free by itself }

var
  DataPage: TInputDirWizardPage;
  PortsPage: TInputQueryWizardPage;
  Installed: String;     { version, '' when none }
  Frozen: Boolean;       { by us, and not released yet }
  ExitCode: Integer;

function Given(const Name: String): Boolean;
var
  I: Integer;
begin
  Result := False;
  for I := 1 to ParamCount do
    if (CompareText(ParamStr(I), '/' + Name) = 0) or (Pos('/' + Name + '=', Uppercase(ParamStr(I))) = 1) then
      Result := True;
end;

function Option(const Name, Default: String): String;
begin
  Result := Trim(ExpandConstant('{param:' + Name + '|' + Default + '}'));
end;

function InstalledVersion: String;
begin
  if not RegQueryStringValue(HKLM, '{#UninstallKey}', 'DisplayVersion', Result) then
    Result := '';
end;

function IsNewer(const One, Other: String): Boolean;
var
  A, B: Int64;
begin
  Result := StrToVersion(One, A) and StrToVersion(Other, B) and (ComparePackedVersion(A, B) > 0);
end;

function AppFolder: String;
begin
  Result := ExpandConstant('{app}\app');
end;

{ Of the programs that are there: the registry may be ahead of them, when a setup was killed. }
function VersionThere(const Default: String): String;
var
  Found: String;
begin
  Result := Default;
  if GetVersionNumbersString(AppFolder + '\BrakeDiscTray.exe', Found) then
    Result := Copy(Found, 1, Length(Found) - 2);  { the fourth number is always 0 }
end;

{ What the program prints goes into the log. -1: it could not be started. }
function RunIn(const Folder, FileName, Parameters: String): Integer;
begin
  Log(Format('Run %s\%s %s', [Folder, FileName, Parameters]));
  if not ExecAndLogOutput(Folder + '\' + FileName, Parameters, Folder, SW_HIDE, ewWaitUntilTerminated, Result, nil) then
    Result := -1;
  Log(Format('%s ended with code %d', [FileName, Result]));
end;

function Quiet(const FileName, Parameters: String): Integer;
begin
  if not Exec(FileName, Parameters, '', SW_HIDE, ewWaitUntilTerminated, Result) then
    Result := -1;
  Log(Format('%s %s: code %d', [FileName, Parameters, Result]));
end;

procedure Say(const Message: String);
begin
  WizardForm.StatusLabel.Caption := Message;
  Log(Message);
end;

function LogFile: String;
begin
  Result := ExpandConstant('{log}');
end;

{ What runs may take a while to let go of its files. }
function Moved(const From, Target: String): Boolean;
var
  Attempts: Integer;
begin
  Result := RenameFile(From, Target);
  for Attempts := 1 to 30 do
    if not Result then begin
      Sleep(1000);
      Result := RenameFile(From, Target);
    end;
  Log(Format('Rename %s to %s: %d', [From, Target, Ord(Result)]));
end;

procedure StopAll;
begin
  if FileExists(AppFolder + '\brakedisc.exe') and (RunIn(AppFolder, 'brakedisc.exe', 'stop-everything') = 0) then
    exit;
  { damaged, or of another kind: its supervisor takes the others with it }
  Quiet(ExpandConstant('{sys}\taskkill.exe'), '/f /t /im BrakeDiscTray.exe');
  Quiet(ExpandConstant('{sys}\taskkill.exe'), '/f /t /im BrakeDiscService.exe');
  Quiet(ExpandConstant('{sys}\taskkill.exe'), '/f /t /im BrakeDiscInspector.exe');
end;

#if Edition == "cuda"
{ The driver's last five digits are in its files' version: 32.0.15.8157 is 581.57. }
procedure CheckDriver;
var
  High, Low: Cardinal;
  Number: Integer;  { 58157 }
  Driver, Message: String;
begin
  Message := '';
  if not FileExists(ExpandConstant('{sys}\nvcuda.dll')) then
    Message := CustomMessage('NoDriver')
  else if GetVersionNumbers(ExpandConstant('{sys}\nvcuda.dll'), High, Low) then begin
    Number := ((Low shr 16) mod 10) * 10000 + (Low and $FFFF);
    Driver := Format('%d.%.2d', [Number div 100, Number mod 100]);
    Log('NVIDIA driver: ' + Driver);
    if Number div 100 < {#MinDriver} then
      Message := FmtMessage(CustomMessage('OldDriver'), [Driver]);
  end;
  if Message <> '' then begin
    Log(Message);
    SuppressibleMsgBox(Message, mbInformation, MB_OK, IDOK);
  end;
end;
#endif

function InitializeSetup: Boolean;
begin
  Installed := InstalledVersion;
  Log('Installed: ' + Installed + ', this: {#Version}');
  Result := Given('FORCE') or not IsNewer(Installed, '{#Version}');
  if not Result then begin
    Log('Refused: a newer version is installed.');
    SuppressibleMsgBox(FmtMessage(CustomMessage('Newer'), [Installed]), mbCriticalError, MB_OK, IDOK);
  end;
#if Edition == "cuda"
  if Result then
    CheckDriver;
#endif
end;

procedure InitializeWizard;
begin
  DataPage := CreateInputDirPage(wpSelectDir, CustomMessage('DataTitle'), CustomMessage('DataAbout'), '', False, '');
  DataPage.Add('');
  DataPage.Values[0] := Option('DATAROOT', ExpandConstant('{commonappdata}\BrakeDisc'));
  PortsPage := CreateInputQueryPage(DataPage.ID, CustomMessage('PortsTitle'), CustomMessage('PortsAbout'), '');
  PortsPage.Add(CustomMessage('Port'), False);
  PortsPage.Add(CustomMessage('ScreensPort'), False);
  PortsPage.Add(CustomMessage('Stations'), False);
  PortsPage.Values[0] := Option('PORT', '8000');
  PortsPage.Values[1] := Option('SCREENSPORT', '8090');
  PortsPage.Values[2] := Option('STATIONS', '');
end;

function ShouldSkipPage(PageID: Integer): Boolean;
begin
  Result := (Installed <> '') and ((PageID = DataPage.ID) or (PageID = PortsPage.ID));
end;

{ '' when there is room. The folder need not exist yet. }
function WithoutRoom(const Folder: String; const NeededMb: Int64): String;
var
  There: String;
  Free, Total: Int64;
begin
  Result := '';
  There := RemoveBackslashUnlessRoot(Folder);
  while not DirExists(There) and (ExtractFileDir(There) <> There) do
    There := ExtractFileDir(There);
  if GetSpaceOnDisk64(There, Free, Total) and (Free div 1048576 < NeededMb) then
    Result := FmtMessage(CustomMessage('DiskFull'), [Folder, IntToStr(Free div 1048576), IntToStr(NeededMb)]);
  if Result <> '' then
    Log(Result);
end;

{ The running version goes on inspecting while it is checked and while files are copied. }
function PrepareToInstall(var NeedsRestart: Boolean): String;
var
  Code: Integer;
begin
  Result := '';
  if not DirExists(AppFolder) and DirExists(ExpandConstant('{app}\former')) then
    Moved(ExpandConstant('{app}\former'), AppFolder);  { an update that was killed between two renames }
  DelTree(ExpandConstant('{app}\new'), True, True, True);
  Result := WithoutRoom(ExpandConstant('{app}'), {#NeededMb} + SpareMb);
  if (Result = '') and ((Installed = '') or Given('DATAROOT')) then
    Result := WithoutRoom(DataPage.Values[0], DataMb);
  if Result <> '' then
    exit;
  Installed := VersionThere(Installed);
  if (Installed = '') or (Installed = '{#Version}') or not DirExists(AppFolder) then
    exit;
  Say(CustomMessage('Checking'));
  Code := RunIn(AppFolder, 'brakedisc.exe', 'update-check before');
  Frozen := Code <> 2;
  if (Code <> 0) and not Given('FORCE') then
    Result := FmtMessage(CustomMessage('BeforeFailed'), [IntToStr(Code), LogFile]);
end;

procedure WriteDataRoot;
var
  Chosen: String;
begin
  Chosen := RemoveBackslashUnlessRoot(DataPage.Values[0]);
  if (Installed <> '') and not Given('DATAROOT') then
    exit;
  SaveStringToFile(ExpandConstant('{app}\data-root.txt'), Utf8Encode(Chosen), False);
  ForceDirectories(Chosen);
  { every user of this PC works on the same data }
  Quiet(ExpandConstant('{sys}\icacls.exe'), '"' + Chosen + '" /grant *S-1-5-32-545:(OI)(CI)M');
end;

function Prepared: Boolean;
var
  Options: String;
begin
  Options := '';
  if (Installed = '') or Given('PORT') then
    Options := Options + ' --port ' + PortsPage.Values[0];
  if (Installed = '') or Given('SCREENSPORT') then
    Options := Options + ' --screens-port ' + PortsPage.Values[1];
  if (Installed = '') or Given('STATIONS') then
    Options := Options + ' --stations "' + PortsPage.Values[2] + '"';
  Result := RunIn(AppFolder, 'brakedisc.exe', 'prepare' + Options) = 0;
end;

procedure OpenFirewall;
var
  Netsh, Stations: String;
begin
  if (Installed <> '') and not Given('STATIONS') then
    exit;
  Netsh := ExpandConstant('{sys}\netsh.exe');
  Stations := PortsPage.Values[2];
  Quiet(Netsh, 'advfirewall firewall delete rule name="{#Rule}"');
  if Stations <> '' then
    Quiet(Netsh, 'advfirewall firewall add rule name="{#Rule}" dir=in action=allow protocol=TCP localport=' +
      PortsPage.Values[1] + ' remoteip=' + Stations + ' program="' + AppFolder + '\BrakeDiscInspector.exe"');
end;

procedure Fail(const Code: Integer; const Message: String);
begin
  ExitCode := Code;
  Log(Format('Exit code %d: %s', [Code, FmtMessage(CustomMessage(Message), [LogFile])]));
  SuppressibleMsgBox(FmtMessage(CustomMessage(Message), [LogFile]), mbCriticalError, MB_OK, IDOK);
end;

procedure GoBack;
begin
  Say(CustomMessage('GoingBack'));
  StopAll;
  if not Moved(AppFolder, ExpandConstant('{app}\failed')) or not Moved(ExpandConstant('{app}\former'), AppFolder) then begin
    Fail(InUse, 'InUse');
    exit;
  end;
  DelTree(ExpandConstant('{app}\failed'), True, True, True);
  RegWriteStringValue(HKLM, '{#UninstallKey}', 'DisplayVersion', Installed);
  if RunIn(AppFolder, 'brakedisc.exe', 'update-check back') = 0 then begin
    Frozen := False;
    Fail(RolledBack, 'RolledBack');
  end else
    Fail(RolledBackDoubtful, 'RolledBackDoubtful');
end;

procedure Replace;
begin
  if DirExists(AppFolder) then begin
    Say(CustomMessage('Replacing'));
    StopAll;
    DelTree(ExpandConstant('{app}\former'), True, True, True);
    if not Moved(AppFolder, ExpandConstant('{app}\former')) then begin
      RegWriteStringValue(HKLM, '{#UninstallKey}', 'DisplayVersion', Installed);
      Fail(InUse, 'InUse');
      exit;
    end;
  end;
  if not Moved(ExpandConstant('{app}\new'), AppFolder) then begin
    Moved(ExpandConstant('{app}\former'), AppFolder);
    RegWriteStringValue(HKLM, '{#UninstallKey}', 'DisplayVersion', Installed);
    Fail(InUse, 'InUse');
    exit;
  end;
  WriteDataRoot;
  if not Prepared then
    Fail(SettingsRefused, 'SettingsRefused');
  if Frozen then begin
    Say(CustomMessage('Verifying'));
    if RunIn(AppFolder, 'brakedisc.exe', 'update-check after') <> 0 then begin
      GoBack;
      exit;
    end;
    Frozen := False;
  end;
  DelTree(ExpandConstant('{app}\former'), True, True, True);
  if ExitCode <> SettingsRefused then
    OpenFirewall;
end;

{ Not by the system's own account: its supervisor would keep out that of the person who logs on. }
procedure StartTray;
var
  Code: Integer;
begin
  if (Option('START', '1') = '0') or (CompareText(GetUserNameString, 'SYSTEM') = 0) then
    exit;
  ExecAsOriginalUser(AppFolder + '\BrakeDiscTray.exe', '', AppFolder, SW_SHOWNORMAL, ewNoWait, Code);
  Log(Format('Tray started: %d', [Code]));
end;

procedure CurStepChanged(CurStep: TSetupStep);
begin
  if CurStep = ssPostInstall then begin
    Replace;
    DelTree(ExpandConstant('{app}\new'), True, True, True);
    StartTray;
  end;
end;

{ An update that ended before its check: training must not stay frozen for it. }
procedure DeinitializeSetup;
begin
  if Frozen and (ExitCode <> RolledBackDoubtful) then
    RunIn(AppFolder, 'brakedisc.exe', 'unfreeze');
end;

function GetCustomSetupExitCode: Integer;
begin
  Result := ExitCode;
end;

procedure CurUninstallStepChanged(CurUninstallStep: TUninstallStep);
begin
  if CurUninstallStep = usUninstall then begin
    StopAll;
    Quiet(ExpandConstant('{sys}\netsh.exe'), 'advfirewall firewall delete rule name="{#Rule}"');
  end;
end;
